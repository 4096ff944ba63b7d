#pragma once

#include <sys/resource.h>

#include "harness/finding.hpp"
#include "harness/system_files.hpp"

namespace loopbench {

// What measuring wants from the kernel beside time: limits, permissions, counters. Each check is
// one function and gives one finding. `root`: whether this process may raise its own limits.

/// For 10,000 connections in one process.
Finding check_descriptor_limit(const SystemFiles& files, const rlimit& limit, bool root);
Finding check_listen_queue(const SystemFiles& files);
/// `error`: the errno of an attempt to set up a ring, or 0.
Finding check_io_uring(const SystemFiles& files, int error);
Finding check_locked_memory(const rlimit& limit, bool root);
Finding check_perf_paranoid(const SystemFiles& files, bool root);
/// Tries to count system calls of this process.
Finding check_syscall_counting();
/// Tries to count instructions of this process.
Finding check_hardware_counters();

/// Tries to set up an io_uring; the errno, or 0.
int try_io_uring();

}  // namespace loopbench
