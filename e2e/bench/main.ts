import { measureAssigning } from './assigning.ts';
const sizes = (process.argv[2] ?? '100').split(',').map(Number);
for (const size of sizes) {
  console.log(JSON.stringify(await measureAssigning(size, 3), undefined, 1));
}
