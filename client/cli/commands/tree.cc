#include "client/cli/commands/tree.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace potok::client {
namespace {

OptionWords WordsOf(const CLI::Option& option) {
  OptionWords words;
  for (const std::string& name : option.get_snames()) words.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) words.names.push_back("--" + name);
  words.positional = words.names.empty();
  if (words.positional) words.names.push_back(option.get_name(true));
  if (option.get_items_expected_max() > 0) words.type = option.get_type_name();
  words.help = option.get_description();
  words.group = option.get_group();
  words.required = option.get_required();
  words.many = option.get_expected_max() > 1 && option.get_items_expected_min() > 0 &&
               option.get_items_expected_max() > 1;
  return words;
}

}  // namespace

CommandTree TreeOf(const CLI::App& app) {
  CommandTree tree;
  tree.name = app.get_name();
  tree.what = app.get_description();
  tree.footer = app.get_footer();
  tree.hidden = app.get_group().empty();
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    tree.options.push_back(WordsOf(*option));
  }
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
    tree.commands.push_back(TreeOf(*child));
  }
  return tree;
}

}  // namespace potok::client
