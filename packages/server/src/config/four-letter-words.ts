// Which four-letter words a whitelist allows. Facts: FourLetterCommands; reference/zookeeper-features.md 4.1.

/** Every four-letter word of Apache ZooKeeper 3.9. */
export const fourLetterWords: readonly string[] = [
  ..."conf cons crst dirs dump envi gtmk hash isro mntr ruok srst srvr stat stmk wchc wchp wchs".split(" "),
];

/** The words to answer: `*` stands for all, `srvr` is always in, `isro` when the server has a read-only mode. */
export function allowedWords(options: {
  readonly whitelist: readonly string[];
  readonly readOnlyMode: boolean;
}): Set<string> {
  const { whitelist, readOnlyMode } = options;
  const star = whitelist.indexOf("*");
  const words = star === -1 ? whitelist : [...whitelist.slice(0, star), ...fourLetterWords];
  return new Set([...words, ...(readOnlyMode ? ["isro"] : []), "srvr"]);
}
