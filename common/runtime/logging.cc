#include "common/runtime/logging.h"

#include <pthread.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "fmt/format.h"

namespace potok {

namespace {

// %* in the pattern: the name of the thread that logs.
class ThreadName final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& /*message*/,
              const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    char name[16] = {};
    pthread_getname_np(pthread_self(), name, sizeof name);
    out.append(std::begin(name), std::begin(name) + std::char_traits<char>::length(name));
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<ThreadName>();
  }
};

}  // namespace

absl::Status InitLogging(const std::string& level) {
  const auto parsed = spdlog::level::from_str(level);
  if (parsed == spdlog::level::off && level != "off") {
    return absl::InvalidArgumentError(
        fmt::format("--log-level={}: choose one of trace, debug, info, warn, error", level));
  }
  spdlog::drop("potok");  // a second call replaces the first
  auto logger = spdlog::stderr_logger_mt("potok");
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<ThreadName>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l [%*] %v");
  logger->set_formatter(std::move(formatter));
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  return absl::OkStatus();
}

void NameThread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace potok
