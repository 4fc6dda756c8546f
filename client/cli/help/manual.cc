#include "client/cli/help/manual.h"

#include <map>

#include "fmt/format.h"

namespace potok::client {
namespace {

// Text as roff shows it unchanged (groff_char(7), man-pages(7)): backslashes, hyphens that may be
// copied, and no line that would be a request.
std::string Escaped(const std::string& text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '`':
        out += "\\(ga";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Upper(const std::string& text) {
  std::string upper;
  for (const char c : text) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

std::string Bold(const std::string& text) {
  return "\\fB" + Escaped(text) + "\\fR";
}
std::string Italic(const std::string& text) {
  return "\\fI" + Escaped(text) + "\\fR";
}

// "potok job create" for a page named "potok-job-create".
std::string Spaced(std::string path) {
  for (char& c : path) {
    if (c == '-') c = ' ';
  }
  return path;
}

constexpr char kExitStatus[] =
    ".SH EXIT STATUS\n"
    ".TP\n0\nIt did what it says; the run completed.\n"
    ".TP\n1\nIt failed; the run failed or was canceled.\n"
    ".TP\n2\nThe command line or the pipeline is wrong.\n"
    ".TP\n3\nNo server answers.\n"
    ".TP\n130\nAfter Ctrl\\-C.\n";

class Page {
 public:
  Page(const CommandTree& command, const std::string& path, const std::string& edition)
      : command_(command), path_(path) {
    out_ = fmt::format(".TH {} 1 {} \"Potok Manual\"\n.SH NAME\n{} \\- {}\n",
                       Escaped(Upper(path)),
                       edition,
                       Escaped(path),
                       Escaped(command.what));
  }

  std::string Written(const std::vector<std::string>& others) {
    Synopsis();
    Commands();
    Options();
    Examples();
    if (command_.commands.empty()) out_ += kExitStatus;
    out_ += ".SH SEE ALSO\n";
    for (std::size_t i = 0; i < others.size(); ++i) {
      out_ += fmt::format(".BR {} (1){}\n", Escaped(others[i]), i + 1 < others.size() ? "," : "");
    }
    return std::move(out_);
  }

 private:
  void Synopsis() {
    out_ += ".SH SYNOPSIS\n" + Bold(Spaced(path_));
    if (!command_.commands.empty()) out_ += " " + Italic("COMMAND");
    for (const OptionWords& option : command_.options) {
      if (option.positional) out_ += " [" + Italic(option.type) + "]";
      if (option.required && !option.positional) {
        out_ += " " + Bold(option.names.front()) + " " + Italic(option.type);
      }
    }
    out_ += " [" + Italic("OPTIONS") + "]\n";
  }

  void Commands() {
    if (command_.commands.empty()) return;
    out_ += ".SH COMMANDS\n";
    for (const CommandTree& child : command_.commands) {
      if (child.hidden) continue;
      out_ += fmt::format(
          ".TP\n.BR {} (1)\n{}.\n", Escaped(path_ + "-" + child.name), Escaped(child.what));
    }
  }

  // Under their headings, in the order in which these come first.
  void Options() {
    std::vector<std::string> headings;
    std::map<std::string, std::string> texts;
    for (const OptionWords& option : command_.options) {
      std::string& text = texts[option.group];
      if (text.empty()) headings.push_back(option.group);
      text += ".TP\n";
      for (std::size_t i = 0; i < option.names.size(); ++i) {
        text += (i == 0 ? "" : ", ") + Bold(option.names[i]);
      }
      if (!option.type.empty()) text += " " + Italic(option.type);
      text += "\n" + Escaped(option.help) + ".\n";
    }
    for (const std::string& heading : headings) {
      out_ += fmt::format(".SH \"{}\"\n{}", Escaped(Upper(heading)), texts[heading]);
    }
  }

  // What comes before the examples is prose.
  void Examples() {
    const std::string begin = "Example:\n";
    const std::size_t example = command_.footer.find(begin);
    const std::string prose = command_.footer.substr(0, example);
    if (prose.find_first_not_of('\n') != std::string::npos) {
      out_ +=
          ".SH DESCRIPTION\n" + Escaped(prose.substr(0, prose.find_last_not_of('\n') + 1)) + "\n";
    }
    if (example == std::string::npos) return;
    out_ +=
        ".SH EXAMPLES\n.nf\n" + Escaped(command_.footer.substr(example + begin.size())) + "\n.fi\n";
  }

  const CommandTree& command_;
  const std::string path_;
  std::string out_;
};

void AddPages(const CommandTree& command,
              const std::string& above,
              const std::string& edition,
              std::vector<ManualPage>* pages) {
  const std::string path = above.empty() ? command.name : above + "-" + command.name;
  std::vector<std::string> others;
  if (!above.empty()) others.push_back(above);
  for (const CommandTree& child : command.commands) {
    if (!child.hidden) others.push_back(path + "-" + child.name);
  }
  pages->push_back({path + ".1", Page(command, path, edition).Written(others)});
  for (const CommandTree& child : command.commands) {
    if (!child.hidden) AddPages(child, path, edition, pages);
  }
}

}  // namespace

std::vector<ManualPage> ManualPages(const CommandTree& root,
                                    const std::string& version,
                                    const std::string& date) {
  std::vector<ManualPage> pages;
  AddPages(root, "", fmt::format("{} \"Potok {}\"", date, Escaped(version)), &pages);
  return pages;
}

}  // namespace potok::client
