"""What t/bench/run and t/bench/syscalls share."""
