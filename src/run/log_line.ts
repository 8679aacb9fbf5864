/** A line of output.log, of this moment. */
export const logLine = (level: 'INFO' | 'WARNING', text: string): string =>
  `${timestamp(new Date())} | ${level} | ${text}`;

function timestamp(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return `${date},${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
}
