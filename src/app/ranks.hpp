#pragma once
// How the ranks of one program go through a command together.
#include <iostream>
#include <utility>

#include "commands.hpp"
#include "uplift/core/error.hpp"
#include "uplift/domain/communicator.hpp"

namespace uplift::app {

/// Ends the program on every rank, in good order: thrown by all of them; the root has said why.
struct Agreed {
  ExitStatus status;
};

/// f() on the root and then, unless it has thrown InputError, on all others, so that what is wrong with the input is said once.
template <class F>
auto root_first(const Communicator& world, F&& f) {
  bool good = true;
  if (world.root() && world.size() > 1) {
    try {
      auto result = f();
      world.broadcast(good);
      return result;
    } catch (const InputError& e) {
      std::cerr << "error: " << e.what() << std::endl;
      good = false;
      world.broadcast(good);
    }
  } else {
    world.broadcast(good);
  }
  if (!good) throw Agreed{bad_input};
  return f();
}

}  // namespace uplift::app
