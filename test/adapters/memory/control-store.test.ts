import { createMemoryControlStore } from '../../../adapters/memory/control-store.ts';
import { controlStoreContract } from '../../support/contracts/control-store.ts';

controlStoreContract('the memory', createMemoryControlStore);
