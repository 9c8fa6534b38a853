// Exit status out. Errors end here, as "uplift: what, where, why, what to do" on stderr.
#include <CLI/CLI.hpp>
#include <iostream>

#include "command_line.hpp"
#include "commands.hpp"
#include "ranks.hpp"
#include "uplift/core/error.hpp"
#include "uplift/domain/communicator.hpp"

namespace {

using namespace uplift::app;

std::string command_line(int argc, char** argv) {
  std::string text = "uplift";
  for (int k = 1; k < argc; ++k) text += std::string(" ") + argv[k];
  return text;
}

int dispatch(int argc, char** argv, const uplift::Communicator& world) {
  CLI::App app;
  Action action;
  add_commands(app, action, world, command_line(argc, argv));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (world.root()) return app.exit(e) == 0 ? finished : bad_input;
    return e.get_exit_code() == 0 ? finished : bad_input;
  }
  return action();
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
    return fail(world, e.what(), bad_input);
  } catch (const std::bad_alloc&) {
    return fail(world, "out of memory (the system or its PME grid is too large for this machine)", failed);
  } catch (const std::exception& e) {
    return fail(world, e.what(), failed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const uplift::MpiSession mpi(argc, argv);
    return run_program(argc, argv, mpi.world());
  } catch (const uplift::InputError& e) {
    return fail({}, e.what(), bad_input);
  } catch (const std::exception& e) {
    return fail({}, e.what(), failed);
  }
}
