// Prints, as a process ends, its milliseconds and the most memory that it had.
process.on("exit", () => {
  const { maxRSS } = process.resourceUsage();
  process.stdout.write(`\n${JSON.stringify({ ms: process.uptime() * 1000, maxRssKiB: maxRSS })}\n`);
});
