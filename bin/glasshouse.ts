#!/usr/bin/env node
import { runProcess } from '../cli/process-host.ts';

await runProcess(process.argv.slice(2));
