#include "client/cli/help/complete.h"

#include <algorithm>

namespace potok::client {
namespace {

using Names = Completion::Names;

bool StartsWith(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

const OptionWords* FindOption(const CommandTree& command, const std::string& name) {
  for (const OptionWords& option : command.options) {
    if (std::find(option.names.begin(), option.names.end(), name) != option.names.end()) {
      return &option;
    }
  }
  return nullptr;
}

const CommandTree* FindCommand(const CommandTree& command, const std::string& name) {
  for (const CommandTree& child : command.commands) {
    if (child.name == name) return &child;
  }
  return nullptr;
}

class Walk {
 public:
  explicit Walk(const CommandTree& root) : command_(&root) {}

  // A whole word.
  void Pass(const std::string& word) {
    if (own_command_ || word == "=") return;
    if (word == "--") {
      own_command_ = true;
    } else if (StartsWith(word, "-")) {
      const std::size_t equals = word.find('=');
      option_ = FindOption(*command_, word.substr(0, equals));
      if (equals != std::string::npos) Value(word.substr(equals + 1));
      if (option_ != nullptr && option_->type.empty()) option_ = nullptr;
    } else if (option_ != nullptr) {
      Value(word);
    } else if (const CommandTree* child = FindCommand(*command_, word)) {
      group_ = command_->name;
      command_ = child;
    } else {
      ++positionals_;
    }
  }

  Completion Complete(const std::string& word) const {
    Completion completion;
    completion.prefix = word;
    if (own_command_) {
      completion.names = Names::kFiles;
      return completion;
    }
    const std::size_t equals = word.find('=');
    if (StartsWith(word, "--") && equals != std::string::npos) {
      completion.before = word.substr(0, equals + 1);
      completion.prefix = word.substr(equals + 1);
      const OptionWords* option = FindOption(*command_, word.substr(0, equals));
      if (option != nullptr) AddValues(*option, &completion);
    } else if (StartsWith(word, "-")) {
      AddOptions(&completion);
    } else if (option_ != nullptr) {
      AddValues(*option_, &completion);
    } else {
      AddWords(&completion);
    }
    return completion;
  }

 private:
  void Value(const std::string& value) {
    if (option_ == nullptr) return;
    if (option_->names.back() == "--name") run_ = value;
    if (!option_->many) option_ = nullptr;
  }

  void AddOptions(Completion* completion) const {
    for (const OptionWords& option : command_->options) {
      if (option.positional) continue;
      // The long name says what it is; the short one is for who knows it.
      for (const std::string& name : option.names) {
        if (StartsWith(name, "--") && StartsWith(name, completion->prefix)) {
          completion->words.emplace_back(name, option.help);
        }
      }
    }
  }

  void AddWords(Completion* completion) const {
    for (const CommandTree& child : command_->commands) {
      if (!child.hidden && StartsWith(child.name, completion->prefix)) {
        completion->words.emplace_back(child.name, child.what);
      }
    }
    if (!command_->commands.empty()) return;
    int left = positionals_;
    for (const OptionWords& option : command_->options) {
      if (option.positional && left-- == 0) return AddValues(option, completion);
    }
    if (completion->prefix.empty()) AddOptions(completion);
  }

  void AddValues(const OptionWords& option, Completion* completion) const {
    completion->names = NamesOf(option);
    if (completion->names == Names::kSteps) completion->run = run_;
    if (option.type.find('|') == std::string::npos) return;
    std::size_t at = 0;
    while (at <= option.type.size()) {
      const std::size_t end = std::min(option.type.find('|', at), option.type.size());
      const std::string choice = option.type.substr(at, end - at);
      if (StartsWith(choice, completion->prefix)) {
        completion->words.emplace_back(completion->before + choice, "");
      }
      at = end + 1;
    }
  }

  // A required --name is the name of something that is there, of the kind that the command's group
  // is about; what is made gets its name from an option that may be left out.
  Names NamesOf(const OptionWords& option) const {
    if (option.type == "FILE" || option.type == "PATH") return Names::kFiles;
    if (option.type == "FOLDER") return Names::kFolders;
    if (option.type == "RUN") return Names::kRuns;
    if (option.type == "MACHINE") return Names::kMachines;
    if (option.type == "TEAM") return Names::kTeams;
    if (option.type == "PROFILE") return Names::kProfiles;
    const std::string& name = option.names.back();
    if (name == "--step" && !run_.empty()) return Names::kSteps;
    if (name != "--name" || !option.required) return Names::kNone;
    if (group_ == "job") return Names::kRuns;
    return group_ == "machine" ? Names::kMachines : Names::kNone;
  }

  const CommandTree* command_;
  std::string group_;                    // the name of the command above it
  const OptionWords* option_ = nullptr;  // whose value comes next
  std::string run_;
  int positionals_ = 0;
  bool own_command_ = false;
};

}  // namespace

Completion CompleteWords(const CommandTree& root, const std::vector<std::string>& words) {
  Walk walk(root);
  if (words.empty()) return walk.Complete("");
  for (std::size_t i = 0; i + 1 < words.size(); ++i) walk.Pass(words[i]);
  return walk.Complete(words.back() == "=" ? "" : words.back());
}

}  // namespace potok::client
