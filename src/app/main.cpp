// Exit status out. Errors end here, as "uplift: what, where, why, what to do" on stderr.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "command_line.hpp"
#include "commands.hpp"
#include "rank_guard.hpp"
#include "ranks.hpp"
#include "uplift/core/error.hpp"
#include "uplift/domain/communicator.hpp"
#include "uplift/io/text_file.hpp"

namespace {

using namespace uplift::app;

std::string command_line(int argc, char** argv) {
  std::string text = "uplift";
  for (int k = 1; k < argc; ++k) text += std::string(" ") + argv[k];
  return text;
}

const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : app.get_subcommands([&](const CLI::App* c) { return c->get_name() == name; })) return command;
  return nullptr;
}

/// A first word that is no command; CLI11 would say only that a command is required.
void check_command(const CLI::App& app, const std::string& word) {
  if (word.starts_with('-') || find_command(app, word)) return;
  std::string all;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App* c) { return !c->get_group().empty(); }))
    all += (all.empty() ? "" : ", ") + command->get_name();
  throw uplift::InputError("there is no command " + uplift::in_quotes(word) + "; commands are " + all +
                           " (uplift --help; uplift COMMAND --help)");
}

/// A closed stdout or stderr would be the number of the first file that is opened, and what is printed would land in it.
void open_standard_streams() {
  for (int number = 0; number <= STDERR_FILENO; ++number)
    if (::fcntl(number, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0) return;  // takes the lowest number that is free
}

/// What a command has printed is its result; a run has its log, and goes on without.
int printed(const std::string& command, int status) {
  std::cout.flush();
  if (std::cout || command == "run") return status;
  std::cerr << "error: stdout cannot be written to (" << std::strerror(errno)
            << "), so that what was printed is not complete; make room, or send it elsewhere\n";
  return status == finished ? failed : status;
}

int dispatch(int argc, char** argv, const uplift::Communicator& world) {
  CLI::App app;
  Action action;
  add_commands(app, action, world, command_line(argc, argv));
  std::vector<const char*> words(argv, argv + argc);
  // `uplift help`, `uplift help run`: as with --help behind it.
  if (argc > 1 && std::string(argv[1]) == "help") {
    words.erase(words.begin() + 1);
    words.resize(std::min<std::size_t>(words.size(), 2));
    words.push_back("--help");
  }
  if (words.size() > 1) check_command(app, words[1]);
  try {
    app.parse(static_cast<int>(words.size()), words.data());
  } catch (const CLI::ParseError& e) {
    if (world.root()) {
      const int status = app.exit(e) == 0 ? finished : bad_input;
      const CLI::App* command = words.size() > 1 ? find_command(app, words[1]) : nullptr;
      if (const std::string why = status != finished && command ? swallowed(*command, true) : ""; !why.empty())
        std::cerr << why.substr(2) << '\n';
      return printed("", status);
    }
    return e.get_exit_code() == 0 ? finished : bad_input;
  }
  const int status = action();
  return printed(words[1], status);
}

/// Where ranks work together, one that fails takes all of them down: the others may be waiting for it.
int fail(const uplift::Communicator& world, const std::string& message, ExitStatus status) {
  if (world.size() > 1) world.abort(message, status);
  std::cerr << "error: " << message << '\n';
  return status;
}

int run_program(int argc, char** argv, const uplift::Communicator& world) {
  try {
    return dispatch(argc, argv, world);
  } catch (const Agreed& agreed) {
    return agreed.status;
  } catch (const uplift::InputError& e) {
    // What is wrong with an input is so on all ranks as a rule; the root says it, and ends the others meanwhile.
    if (!world.root()) std::this_thread::sleep_for(std::chrono::seconds(2));
    return fail(world, e.what(), bad_input);
  } catch (const std::bad_alloc&) {
    return fail(world, "out of memory (the system or its PME grid is too large for this machine)", failed);
  } catch (const std::exception& e) {
    return fail(world, e.what(), failed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow any more is an error of writing, told with its name
  guard_rank();
  try {
    const uplift::MpiSession mpi(argc, argv);
    return run_program(argc, argv, mpi.world());
  } catch (const uplift::InputError& e) {
    return fail({}, e.what(), bad_input);
  } catch (const std::exception& e) {
    return fail({}, e.what(), failed);
  }
}
