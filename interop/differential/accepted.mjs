// The differences from Apache ZooKeeper 3.9.5 that we mean. Each row is explained in docs/compatibility.md under the
// same name; a row that nothing matches any more is to be removed there and here.

/**
 * @typedef {object} AcceptedDifference
 * @property {string} name
 * @property {(step: object, apache: any, ours: any) => boolean} matches whether this row explains everything that
 *   differs in this step
 */

/** @type {AcceptedDifference[]} */
export const accepted = [];
