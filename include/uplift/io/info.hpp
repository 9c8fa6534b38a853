#pragma once
// `uplift info`.
#include <string>

namespace uplift {

/// What is in a file: .h5md trajectory, energies.h5, forces file, checkpoint, prmtop, GROMACS top, inpcrd/rst7, gro. Also works
/// on a trajectory that is being written. Throws InputError when the file is not there or of no kind that is known.
std::string describe_file(const std::string& path);
/// One block of lines about this machine: processor, cores, memory, operating system.
std::string describe_machine();
/// `uplift info --devices`: the machine, the CPU instruction set that the kernels use, and GPUs.
std::string describe_devices(const std::string& instruction_set);

}  // namespace uplift
