-- One line for the benchmark: requests, us, errors by kind, p50 and p99 in us.
function done(summary, latency, requests)
	local e = summary.errors
	print(string.format("BENCH %d %d %d %d %d %d %d %.0f %.0f",
	    summary.requests, summary.duration, e.connect, e.read, e.write,
	    e.status, e.timeout, latency:percentile(50),
	    latency:percentile(99)))
end
