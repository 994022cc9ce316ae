// Package npm holds programs of registry.npmjs.org that Debian does not have, and that tasks bring to
// hosts. Of each package as it was published it has the files that run, byte for byte: a plan needs no
// network, and a host needs no npm.
package npm

import (
	"embed"
	"io/fs"
)

// Integrity is what the registry says of a package's archive (W3C Subresource Integrity): a test
// holds the archive against it, and the files against the archive.
type Integrity string

// StatsDIntegrity is that of statsd-0.9.0.tgz.
const StatsDIntegrity Integrity = "sha512-DwQDAZ3osm5ZaQshq7Z/C8nxpqWjj7NVBmHkxZLta9lDOYelPZ8vR976OU1TCHRgGA1bSBuB6glOw9cFkxlyzA=="

//go:embed statsd
var files embed.FS

// StatsD is statsd 0.9.0, with its servers of UDP and TCP and its backend of Graphite. These load
// nothing but Node's own modules: generic-pool, which the package depends on, is loaded by its backend
// "repeater" alone, and modern-syslog by a log that is not used.
func StatsD() (fs.FS, error) { return fs.Sub(files, "statsd") }
