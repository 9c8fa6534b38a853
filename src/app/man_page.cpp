// uplift(1) from the command line itself, so that the two cannot differ. man(7) macros.
#include <algorithm>
#include <iostream>

#include "command_line.hpp"
#include "commands.hpp"

namespace uplift::app {
namespace {

/// Text between macros: hyphens stay hyphens, and no line begins with a macro.
std::string escaped(const std::string& text) {
  std::string all;
  for (const char c : text) {
    if (c == '\\')
      all += "\\e";
    else if (c == '-')
      all += "\\-";
    else if ((c == '.' || c == '\'') && (all.empty() || all.back() == '\n'))
      all += std::string("\\&") + c;
    else
      all += c;
  }
  return all;
}

void write_option(std::ostream& out, const CLI::Option& option) {
  std::string name = option.get_name(false, true);
  std::replace(name.begin(), name.end(), ',', ' ');
  if (option.get_positional() || option.get_lnames().empty()) name = option.get_name(true);
  // "INT:INT in [1 - 100]": what follows the colon is for messages.
  std::string value = option.get_positional() || option.get_type_size() == 0 ? "" : option.get_type_name();
  value.resize(std::min(value.find(':'), value.size()));
  if (const std::string more = " ..."; !value.empty() && option.get_expected_max() > 1 && !value.ends_with(more)) value += more;
  out << ".TP\n\\fB" << escaped(name) << "\\fR" << (value.empty() ? "" : " \\fI" + escaped(value) + "\\fR") << '\n'
      << escaped(option.get_description()) << (option.get_required() ? " (required)" : "") << '\n';
}

void write_command(std::ostream& out, const CLI::App& command) {
  std::string synopsis = "uplift " + command.get_name();
  for (const CLI::Option* option : command.get_options())
    if (option->get_positional()) synopsis += " " + option->get_name(true) + (option->get_expected_max() > 1 ? " ..." : "");
  synopsis += " [OPTIONS]";
  out << ".SS " << escaped(synopsis) << '\n' << escaped(command.get_description()) << ".\n";
  for (const CLI::Option* option : command.get_options())
    if (option != command.get_help_ptr()) write_option(out, *option);
}

}  // namespace

void write_man_page(std::ostream& out, const CLI::App& app) {
  out << ".TH UPLIFT 1 \"\" \"uplift " << version << "\" \"User Commands\"\n"
      << ".SH NAME\nuplift \\- molecular dynamics with accelerated sampling\n"
      << ".SH SYNOPSIS\n.B uplift\n.I COMMAND\n[OPTIONS]\n"
      << ".SH DESCRIPTION\nRuns molecular dynamics from one YAML input, with accelerated sampling and reweighted free "
         "energies.\n"
      << ".SH COMMANDS\n";
  for (const CLI::App* command : app.get_subcommands([](const CLI::App* c) { return !c->get_group().empty(); }))
    write_command(out, *command);
  out << ".SH EXIT STATUS\n.TP\n.B 0\nfinished\n.TP\n.B " << failed << "\nfailed while running\n.TP\n.B " << bad_input
      << "\nthe input or the command line is wrong\n.TP\n.B " << stopped_early
      << "\nstopped with a checkpoint: the same command with \\-\\-resume goes on\n"
      << ".SH SEE ALSO\nTutorial, guides and the input reference are installed in share/uplift/docs; "
         "\\fBuplift schema\\fR prints every key of the input.\n";
}

}  // namespace uplift::app
