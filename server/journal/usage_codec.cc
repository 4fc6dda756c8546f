#include "server/journal/wire.h"

namespace potok::server {

void ToWire(const Usage& usage, wire::Usage* message) {
  message->set_peak_memory_bytes(usage.peak_memory_bytes);
  message->set_cpu_us(absl::ToInt64Microseconds(usage.cpu_time));
  message->set_wall_us(absl::ToInt64Microseconds(usage.wall_time));
  if (usage.read_bytes) message->set_read_bytes(*usage.read_bytes);
  if (usage.written_bytes) message->set_written_bytes(*usage.written_bytes);
  if (usage.gpu_utilization) message->set_gpu_utilization(*usage.gpu_utilization);
  message->set_gpu_peak_memory_bytes(usage.gpu_peak_memory_bytes);
  message->set_child_out_of_memory(usage.child_out_of_memory);
  if (usage.fetched_bytes) message->set_fetched_bytes(*usage.fetched_bytes);
  if (usage.found_bytes) message->set_found_bytes(*usage.found_bytes);
}

Usage FromWire(const wire::Usage& message) {
  Usage usage;
  usage.peak_memory_bytes = message.peak_memory_bytes();
  usage.cpu_time = absl::Microseconds(message.cpu_us());
  usage.wall_time = absl::Microseconds(message.wall_us());
  if (message.has_read_bytes()) usage.read_bytes = message.read_bytes();
  if (message.has_written_bytes()) usage.written_bytes = message.written_bytes();
  if (message.has_gpu_utilization()) usage.gpu_utilization = message.gpu_utilization();
  usage.gpu_peak_memory_bytes = message.gpu_peak_memory_bytes();
  usage.child_out_of_memory = message.child_out_of_memory();
  if (message.has_fetched_bytes()) usage.fetched_bytes = message.fetched_bytes();
  if (message.has_found_bytes()) usage.found_bytes = message.found_bytes();
  return usage;
}

void ToWire(const HeldInputs& held, wire::HeldInputs* message) {
  message->set_held_bytes(held.held_bytes);
  message->set_input_bytes(held.input_bytes);
  message->set_decided(held.decided);
}

HeldInputs FromWire(const wire::HeldInputs& message) {
  return {message.held_bytes(), message.input_bytes(), message.decided()};
}

void ToWire(const MemoryRaise& raise, wire::MemoryRaise* message) {
  message->set_attempt(raise.attempt);
  message->set_from_bytes(raise.from_bytes);
  message->set_to_bytes(raise.to_bytes);
}

MemoryRaise FromWire(const wire::MemoryRaise& message) {
  return {message.attempt(), message.from_bytes(), message.to_bytes()};
}

}  // namespace potok::server
