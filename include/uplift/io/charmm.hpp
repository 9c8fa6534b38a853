#pragma once
// CHARMM's files: PSF with parameter files (.prm, .rtf, .str), and coordinates as CARD (.crd). Formats: CHARMM documentation,
// io.info, rtop.info and parmfile.info; NAMD user guide for X-PLOR PSF.
#include <string>
#include <vector>

#include "uplift/io/coordinates.hpp"
#include "uplift/io/topology_file.hpp"

namespace uplift {

/// Reads a PSF (CHARMM or X-PLOR, also EXT) with the parameters of `files`, later ones replacing earlier ones. Atoms three
/// bonds apart have CHARMM's special 1-4 interaction; nearer ones none (nbxmod 5). Throws InputError ("file:line: what, why,
/// cure") for anything wrong and, by name, for anything the engine cannot do.
TopologyFile read_psf(const std::string& path, const std::vector<std::string>& files);

/// What a PSF holds without parameters: atoms, masses, charges, bonds, and its terms with constants of zero, to look at and to
/// write elsewhere. Throws InputError.
TopologyFile read_psf_terms(const std::string& path);

/// Whether the text is that of CHARMM's CARD coordinates: title lines that begin with an asterisk.
bool is_charmm_card(const std::string& text);
/// Reads CARD coordinates, in Angstrom and without a box. Throws InputError.
Coordinates read_charmm_card(const std::string& path);

}  // namespace uplift
