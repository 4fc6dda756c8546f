// What the machine and its processes did: CPU times, and how busy it is.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace potok::bench {

double NowMicros();  // of a steady clock

// CPU time of the whole machine since it booted, over all CPUs (proc(5), /proc/stat).
struct MachineTime {
  double busy_us = 0;
  double total_us = 0;
};
MachineTime ReadMachineTime();

// Part of the machine's CPU time, 0 to 1, that was in use during `seconds` from now. Blocks.
double BusyShare(double seconds);

// Waits until less than `busy_max` of the machine is in use, but no longer than `seconds_max`;
// tells the share at the end.
double WaitForQuiet(double busy_max, double seconds_max);

// User and system time of a process, all its threads, ended ones too; 0 if there is none. To the
// nanosecond where the process' clock can be read, else to a clock tick.
double CpuMicrosOf(pid_t pid);

// The same of the children, and theirs, that a process has waited for. To a clock tick.
double CpuMicrosOfEndedChildren(pid_t pid);

std::vector<pid_t> ChildrenOf(pid_t pid);

// VmRSS of a process (proc(5)); 0 if there is none.
std::int64_t ResidentBytesOf(pid_t pid);

int CpuCount();
std::string CpuModel();
std::string KernelRelease();

}  // namespace potok::bench
