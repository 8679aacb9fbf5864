// A process that finds or downloads OpenAI's weights of the model that its argument names: prints the path, or an error
// and exits with 1.
import { pretrainedFile } from './pretrained';

pretrainedFile(process.argv[2]).then(
  (path) => process.stdout.write(path),
  (error: Error) => {
    process.stderr.write(error.message);
    process.exitCode = 1;
  },
);
