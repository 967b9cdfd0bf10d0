// Apache ZooKeeper 3.9.5, fetched by Maven and started as a standalone server.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must, needPrograms } from "./command.mjs";
import { cached, interopDir } from "./paths.mjs";
import { prepareServer, ServerProcess } from "./server-process.mjs";

const quickJvm = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx512m"];

let classpath;

/** Fetches the jars if the pom changed since the last time; returns the class path. */
export async function javaClasspath() {
  if (classpath !== undefined) return classpath;
  await needPrograms(["java", "javac", "mvn"], ["default-jdk-headless", "maven"]);
  const lib = cached("java", "lib");
  const pom = join(interopDir, "java", "pom.xml");
  const stamp = join(cached("java"), "pom.fetched");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== readFileSync(pom, "utf8")) {
    console.log("interop: fetching Apache ZooKeeper 3.9.5 and Curator with Maven");
    await must("mvn", ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${lib}`]);
    writeFileSync(stamp, readFileSync(pom));
  }
  const jars = readdirSync(lib).filter((name) => name.endsWith(".jar"));
  if (!jars.some((name) => name === "zookeeper-3.9.5.jar")) throw new Error(`no zookeeper-3.9.5.jar in ${lib}`);
  classpath = jars.map((name) => join(lib, name)).join(":");
  return classpath;
}

const asFlags = (properties = {}) => Object.entries(properties).map(([name, value]) => `-D${name}=${value}`);

/** Arguments of `java` that run a main class of Apache's with quiet logs. */
export async function javaArgs(
  mainClass,
  args,
  { properties, logLevel = "warn", extraClasspath = [], jvm = quickJvm } = {},
) {
  const path = [...extraClasspath, await javaClasspath()].join(":");
  const logging = `-Dorg.slf4j.simpleLogger.defaultLogLevel=${logLevel}`;
  return [...jvm, logging, ...asFlags(properties), "-cp", path, mainClass, ...args];
}

/**
 * Starts Apache's server as zkServer.sh does (QuorumPeerMain falls back to standalone) and waits until it serves.
 * @param {import("./server-process.mjs").ServerOptions & {logLevel?: string, jvm?: string[]}} [options]
 */
export async function startApache(options = {}) {
  const { dataDir, port, configFile } = await prepareServer(options);
  const args = await javaArgs("org.apache.zookeeper.server.quorum.QuorumPeerMain", [configFile], options);
  const { inheritOutput, enter } = options;
  const server = new ServerProcess({ name: "apache", port, dataDir, command: "java", args, inheritOutput, enter });
  return options.wait === false ? server : server.serving();
}
