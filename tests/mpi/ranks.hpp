#pragma once
#include "uplift/domain/communicator.hpp"

/// The ranks that the tests of this program were started with.
extern const uplift::Communicator* all;
