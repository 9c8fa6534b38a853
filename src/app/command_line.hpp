#pragma once
// Commands and their options, in one place: help, the man page and docs/commands.md come from here.
#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace uplift {
class Communicator;
}

namespace uplift::app {

/// What the parsed command does; returns the exit status.
using Action = std::function<int()>;

/// Adds every command to `app`. `action` is set when one has been parsed; both must outlive the parsing. `command`: the command
/// line as it was given.
void add_commands(CLI::App& app, Action& action, const Communicator& world, const std::string& command);

/// What is to be said where `command` lacks words without a name (`required` ones, or any) and an option that takes several may
/// have them; or empty.
std::string swallowed(const CLI::App& command, bool required);

/// uplift(1) for man: every command and option that `app` has.
void write_man_page(std::ostream& out, const CLI::App& app);

}  // namespace uplift::app
