#include "client/cli/follow/live_block.h"
#include "client/cli/follow/view.h"
#include "fmt/format.h"

namespace potok::client {
namespace {

// Control sequences of ECMA-48: cursor up, erase to the end of the screen.
class LiveView final : public View {
 public:
  explicit LiveView(const Context& context) : context_(context) {}

  // Drawn by the next Tick: changes come in bursts.
  void Changed(const v1::Run& run,
               const std::vector<const v1::StepStatus*>& /*changed*/,
               absl::Time /*now*/) override {
    run_ = &run;
  }
  void Say(const std::string& line) override {
    std::string text = Erased();
    text += line + "\n";
    for (const std::string& drawn : block_) text += drawn + "\n";
    Write(text);
    drawn_ = block_.size();
  }
  void Tick(absl::Time now) override {
    if (run_ != nullptr) Draw(now);
  }
  void Close() override {
    Write(Erased());
    block_.clear();
    drawn_ = 0;
    run_ = nullptr;
  }

 private:
  void Draw(absl::Time now) {
    const auto [columns, rows] = context_.terminal_size();
    const std::string erased = Erased();
    block_ = LiveBlock(*run_, now, Screen{columns, rows, context_.HasColor()});
    std::string text = erased;
    for (const std::string& line : block_) text += line + "\n";
    Write(text);
    drawn_ = block_.size();
  }
  std::string Erased() const { return drawn_ == 0 ? "" : fmt::format("\x1b[{}A\r\x1b[J", drawn_); }
  // One write, so that nothing flickers.
  void Write(const std::string& text) const {
    *context_.out << text;
    context_.out->flush();
  }

  const Context& context_;
  const v1::Run* run_ = nullptr;
  std::vector<std::string> block_;
  std::size_t drawn_ = 0;
};

}  // namespace

std::unique_ptr<View> MakeLiveView(const Context& context) {
  return std::make_unique<LiveView>(context);
}

}  // namespace potok::client
