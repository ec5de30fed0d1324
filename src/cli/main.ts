#!/usr/bin/env node
import process from 'node:process';
import { run } from './run.ts';
import { createTerminal } from './terminal.ts';

// Not process.exit: what was written to a pipe would be cut off.
process.exitCode = await run(process.argv.slice(2), createTerminal(process));
