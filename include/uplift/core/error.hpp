#pragma once
// The two kinds of failure a user meets. InputError: exit status 2; SimulationError: exit status 1.
#include <stdexcept>
#include <string>

namespace uplift {

/// The input is wrong: what, where ("file:line"), why it matters and what to do, in one message.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The simulation failed: it blew up, a constraint could not be met, a device or file failed.
class SimulationError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One that every rank of those that share a System throws at the same place: they are still together after it.
class AgreedError : public SimulationError {
 public:
  using SimulationError::SimulationError;
};

}  // namespace uplift
