/** The `flags` of a create request. @see CreateMode */
export const CreateMode = {
  PERSISTENT: 0,
  EPHEMERAL: 1,
  PERSISTENT_SEQUENTIAL: 2,
  EPHEMERAL_SEQUENTIAL: 3,
  CONTAINER: 4,
  PERSISTENT_WITH_TTL: 5,
  PERSISTENT_SEQUENTIAL_WITH_TTL: 6,
} as const;
export type CreateMode = (typeof CreateMode)[keyof typeof CreateMode];

export function isCreateMode(flags: number): flags is CreateMode {
  return flags >= 0 && flags <= 6;
}

export function isEphemeral(mode: number): boolean {
  return mode === CreateMode.EPHEMERAL || mode === CreateMode.EPHEMERAL_SEQUENTIAL;
}

export function isSequential(mode: number): boolean {
  return (
    mode === CreateMode.PERSISTENT_SEQUENTIAL ||
    mode === CreateMode.EPHEMERAL_SEQUENTIAL ||
    mode === CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL
  );
}

export function isTtl(mode: number): boolean {
  return mode === CreateMode.PERSISTENT_WITH_TTL || mode === CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL;
}

/**
 * What a sequential create appends to its path: the parent's count of creates as at least ten digits. The count is a
 * 32-bit int that wraps, so after 2147483647 comes -2147483648.
 */
export function sequenceSuffix(parentCversion: number): string {
  const digits = String(Math.abs(parentCversion));
  return parentCversion < 0 ? `-${digits.padStart(9, "0")}` : digits.padStart(10, "0");
}
