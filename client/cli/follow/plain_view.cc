#include "client/cli/follow/view.h"
#include "client/cli/show/run_text.h"

namespace potok::client {
namespace {

class PlainView final : public View {
 public:
  PlainView(std::ostream* out, absl::TimeZone zone) : out_(out), zone_(zone) {}

  void Changed(const v1::Run& /*run*/,
               const std::vector<const v1::StepStatus*>& changed,
               absl::Time now) override {
    for (const v1::StepStatus* step : changed) {
      // That a step waits for others is not news.
      if (step->status() == v1::STATUS_NOT_STARTED) continue;
      *out_ << StepChangeLine(*step, now, zone_) << "\n";
    }
    out_->flush();
  }
  void Say(const std::string& line) override { *out_ << line << std::endl; }
  void Tick(absl::Time /*now*/) override {}
  void Close() override {}

 private:
  std::ostream* out_;
  absl::TimeZone zone_;
};

}  // namespace

std::unique_ptr<View> MakePlainView(std::ostream* out, absl::TimeZone zone) {
  return std::make_unique<PlainView>(out, zone);
}

}  // namespace potok::client
