import { preparedForTests } from './prepared.ts';

await preparedForTests();
