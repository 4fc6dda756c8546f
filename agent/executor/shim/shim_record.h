// FOLDER/state: what agent and shim tell each other about one attempt, as plain bytes in a file of
// this size. The agent writes the first part before the shim exists, the shim the other two. Shim
// and agent may be of different releases when an agent is upgraded under running attempts, so
// fields are only added at the end, under a new magic number.
//
// The file is flock(2)ed by whoever creates it and the shim inherits the locked descriptor: while
// it is locked, the shim is about this attempt. See docs/decisions/0004-one-shim-per-attempt.md.
#pragma once

#include <cstddef>
#include <cstdint>

#include "agent/executor/end_cause.h"

namespace potok::agent {

inline constexpr std::uint64_t kShimRecordMagic = 0x32304b4f544f50;  // "POTOK02"
// Of records that end before `wall_ns`.
inline constexpr std::uint64_t kShimRecordMagic1 = 0x31304b4f544f50;  // "POTOK01"

// The descriptors that the agent hands to the shim; 0 is /dev/null, 1 and 2 are the log.
inline constexpr int kStartedFd = 3;  // pipe: the shim writes `id` once the command runs
inline constexpr int kLeaseFd = 4;    // file of 8 bytes: nanoseconds of CLOCK_BOOTTIME
inline constexpr int kStateFd = 5;    // this file
inline constexpr int kChannelFd = 6;  // socket to the agent, for further attempts: order_message.h

// The shim's arguments; the command's own follow. An empty one: not used.
enum ShimArgument : int {
  kArgTrackedCgroup = 1,   // folder of a cgroup2 leaf that holds the whole tree
  kArgMemoryProcs = 2,     // cgroup.procs (v1) that the command joins
  kArgCpuProcs = 3,        // the same of the cpu controller
  kArgOomCounterFile = 4,  // has a line "oom_kill N"
  kArgPidsProcs = 5,       // as kArgMemoryProcs, of the pids controller
  kArgCommand = 6,
  kArgCommand1 = 5  // with a record of kShimRecordMagic1
};

enum class StartStage : std::int32_t {
  kNone = 0,
  kWorkingDirectory = 1,
  kCgroup = 2,
  kSpawn = 3,
  kExec = 4,
  kLease = 5
};

struct ShimRecord {
  // By the agent.
  std::uint64_t magic;
  std::uint64_t id;                 // written to the started pipe; says nothing after a restart
  char boot_id[40];                 // of /proc/sys/kernel/random/boot_id
  char leaf[32];                    // the cgroup's name within the agent's pool, or empty
  std::int64_t timeout_ns;          // 0: none
  std::int64_t grace_ns;            // between SIGTERM and SIGKILL
  std::int64_t memory_watch_bytes;  // kill when the tree's memory exceeds this; 0: not watched
  std::uint64_t oom_kills_before;   // of the leaf, which is used again and again

  std::int32_t leave_terminal;  // 1 if the agent has a controlling terminal

  // By the shim before it starts the command.
  std::int32_t shim_pid;
  std::int32_t command_pid;  // also its process group; 0 with a cgroup

  // By the shim when nothing of the attempt is alive any more, in one write.
  std::int32_t ended;  // 1, or 0 until then
  std::int32_t cause;  // EndCause
  std::int32_t code;
  std::int32_t child_out_of_memory;
  std::int32_t failed_stage;  // StartStage
  std::int32_t failed_errno;
  std::int32_t cgroup_killed;  // 1 if the leaf was emptied by cgroup.kill
  std::int64_t log_bytes;
  std::int64_t cpu_ns;
  std::int64_t peak_rss_bytes;  // of the largest process
  std::uint64_t oom_kills;
  char program[256];  // for kStartFailed: what could not be started, cut
  std::int64_t wall_ns;
  std::int64_t peak_tree_bytes;  // of all processes together, when they were looked at; 0: never
  std::int64_t read_bytes;       // from storage, by all processes; -1: not known
  std::int64_t written_bytes;    // to storage

  // By the agent: what the leaf had counted before the attempt.
  std::int64_t leaf_peak_before;
  std::int64_t leaf_cpu_ns_before;
  std::int64_t leaf_memory_limit;  // 0: none
};

inline constexpr std::size_t kShimPidOffset = offsetof(ShimRecord, shim_pid);
inline constexpr std::size_t kCommandPidOffset = offsetof(ShimRecord, command_pid);
inline constexpr std::size_t kShimEndOffset = offsetof(ShimRecord, ended);
inline constexpr std::size_t kShimRecord1Bytes = offsetof(ShimRecord, wall_ns);
static_assert(sizeof(ShimRecord) == 504, "the layout is stored on disk");
static_assert(kShimRecord1Bytes == 448, "the layout is stored on disk");

}  // namespace potok::agent
