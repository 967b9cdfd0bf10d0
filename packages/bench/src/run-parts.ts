/**
 * The runs: for each part the contenders in turns (A B A B), so that what changes on the machine meanwhile changes for
 * both.
 */
import type { Figure } from "@vivarium/load";
import type { Contender } from "./contender.ts";
import type { Part, Scale } from "./part.ts";
import { Progress } from "./progress.ts";
import type { ResultsCollector } from "./results.ts";

export interface Plan {
  readonly contenders: readonly Contender[];
  readonly parts: readonly Part[];
  readonly scale: Scale;
  /** Path of the built load generator. */
  readonly zkload: string;
  readonly collector: ResultsCollector;
  /** One line that replaces the one before. */
  readonly onProgress: (line: string) => void;
  readonly onFigure: (contender: Contender, turn: number, figure: Figure) => void;
  /** A run that failed; the others go on. */
  readonly onFailure: (where: string, error: unknown) => void;
}

export async function runParts(plan: Plan): Promise<void> {
  const { contenders, parts, scale } = plan;
  const steps = parts.flatMap((part) =>
    Array.from({ length: part.turns(scale) }, (_, index) =>
      contenders
        .filter(({ role }) => part.roles.includes(role))
        .map((contender) => ({ part: part.name, turn: index + 1, name: contender.name, run: { part, contender } })),
    ).flat(),
  );
  const progress = new Progress(steps);
  for (const { turn, run } of steps) {
    try {
      await runStep(plan, { ...run, turn }, progress);
    } catch (error) {
      plan.onFailure(`${run.part.name}, turn ${turn}, ${run.contender.name}`, error);
    }
    progress.next();
  }
}

async function runStep(
  { scale, zkload, collector, onProgress, onFigure }: Plan,
  { part, contender, turn }: { part: Part; contender: Contender; turn: number },
  progress: Progress,
): Promise<void> {
  const { role, name } = contender;
  await part.run({
    part: part.name,
    contender,
    scale,
    zkload,
    doing: (text) => onProgress(progress.line(text)),
    record(figure) {
      collector.record({ part: part.name, role, turn }, figure);
      onFigure(contender, turn, figure);
    },
    draw: (line) => collector.draw(role, line),
    remark: (text) => collector.remark(name, text),
  });
}
