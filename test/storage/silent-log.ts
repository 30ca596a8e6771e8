/** A log for tests that keeps nothing. */
import { pino } from "pino";

export const silentLog = pino({ level: "silent" });
