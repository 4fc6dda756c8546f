#include "client/cli/follow/full_screen.h"

#include <atomic>
#include <thread>

#include "common/base/status_macros.h"

namespace potok::client {
namespace {

// xterm's control sequences, which every terminal of today takes: the second screen, and the
// cursor.
constexpr char kEnter[] = "\x1b[?1049h\x1b[?25l";
constexpr char kLeave[] = "\x1b[?25h\x1b[?1049l";
constexpr char kHome[] = "\x1b[H";
constexpr char kEndOfLine[] = "\x1b[K";
constexpr char kRestOfScreen[] = "\x1b[J";
constexpr char kFooter[] = "q: leave";

constexpr absl::Duration kKeyPatience = absl::Milliseconds(100);
// No file is so wide or long.
constexpr std::size_t kNoEnd = 100'000;

bool IsToLeave(char key) {
  return key == 'q' || key == 'Q' || key == '\x03';
}

// Puts the terminal back however it ends.
class SecondScreen {
 public:
  explicit SecondScreen(const Context& context) : context_(context) { Write(kEnter); }
  ~SecondScreen() { Write(kLeave); }
  SecondScreen(const SecondScreen&) = delete;
  SecondScreen& operator=(const SecondScreen&) = delete;

  // In one write, so that nothing flickers.
  void Draw(const std::vector<std::string>& lines) const {
    std::string text = kHome;
    for (const std::string& line : lines) text += line + kEndOfLine + "\n";
    Write(text + kRestOfScreen + kFooter);
  }

 private:
  void Write(const std::string& text) const { *context_.out << text << std::flush; }
  const Context& context_;
};

Screen ScreenOf(const Context& context) {
  const auto [columns, rows] = context.terminal_size();
  // The last row is the footer's.
  return Screen{columns, std::max<std::size_t>(rows, 2), context.HasColor()};
}

absl::Status PrintOnce(const Context& context, Redraw& redraw, const Frame& frame) {
  const Screen endless{kNoEnd, kNoEnd, context.HasColor()};
  while (!context.interrupted.stop_requested()) {
    POTOK_ASSIGN_OR_RETURN(const std::vector<std::string> lines, frame(absl::Now(), endless));
    for (const std::string& line : lines) *context.out << line << "\n";
    context.out->flush();
    if (!lines.empty()) return absl::OkStatus();
    redraw.Wait(absl::Seconds(1));
  }
  return absl::OkStatus();
}

}  // namespace

void Redraw::Ask() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    asked_ = true;
  }
  changed_.notify_one();
}

void Redraw::Wait(absl::Duration timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, absl::ToChronoMilliseconds(timeout), [this] { return asked_; });
  asked_ = false;
}

absl::Status ShowFullScreen(const Context& context, Redraw& redraw, const Frame& frame) {
  const std::stop_callback interrupted(context.interrupted, [&] { redraw.Ask(); });
  if (!context.HasCursor()) return PrintOnce(context, redraw, frame);
  std::atomic<bool> leaves = false;
  const std::shared_ptr<void> raw = context.raw_keys == nullptr ? nullptr : context.raw_keys();
  const std::jthread keys([&](const std::stop_token& stop) {
    while (context.read_key != nullptr && !stop.stop_requested() && !leaves) {
      const std::optional<char> key = context.read_key(kKeyPatience);
      leaves = key.has_value() && IsToLeave(*key);
      if (leaves) redraw.Ask();
    }
  });
  const SecondScreen screen(context);
  while (!leaves && !context.interrupted.stop_requested()) {
    POTOK_ASSIGN_OR_RETURN(const std::vector<std::string> lines,
                           frame(absl::Now(), ScreenOf(context)));
    screen.Draw(lines);
    redraw.Wait(absl::Seconds(1));
  }
  return absl::OkStatus();
}

}  // namespace potok::client
