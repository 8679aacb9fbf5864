// The script of a process that finds or downloads OpenAI's weights of the model named by its argument. It prints the
// path; on failure it prints the error to stderr and exits with 1.
import { pretrainedFile } from './pretrained';

pretrainedFile(process.argv[2]).then(
  (path) => process.stdout.write(path),
  (error: Error) => {
    process.stderr.write(error.message);
    process.exitCode = 1;
  },
);
