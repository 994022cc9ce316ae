package recipe

import "slices"

// Probe is one read-only question to a host. Probes are data: those of all of a
// host's resources become one script and one round trip.
type Probe struct {
	Key    Key
	Digest bool   // of a path: ask for the SHA-256 of a regular file too; of a user: for that of its password's hash
	Script string // of a command, and of a task's own question: POSIX sh that changes nothing; run as root
	Same   string // of files: the digest that says all of them
	Unit   string // of a listener: the unit that should hold it, which is looked at first
	// Reads are the keys that a command's answer depends on: when one of them changes in a
	// run, the answer from before says nothing any more.
	Reads []Key
	// Unfill names the secrets of a path's content, by the placeholder that stands for
	// each. The host puts the placeholders back before it digests, so a secret that
	// was made on the host never leaves it, not even as a digest.
	Unfill map[string]string // placeholder → path of the secret's file on the host
}

// Merge returns the probes without repetition. Two probes of one path become one that
// asks for what either asks.
func Merge(probes []Probe) []Probe {
	at := make(map[Key]int, len(probes))
	merged := make([]Probe, 0, len(probes))
	for _, probe := range probes {
		i, seen := at[probe.Key]
		if !seen {
			at[probe.Key] = len(merged)
			merged = append(merged, probe)
			continue
		}
		merged[i].Digest = merged[i].Digest || probe.Digest
		for _, key := range probe.Reads {
			if !slices.Contains(merged[i].Reads, key) {
				merged[i].Reads = append(slices.Clip(merged[i].Reads), key)
			}
		}
		if len(probe.Unfill) > 0 {
			merged[i].Unfill = probe.Unfill
		}
	}
	return merged
}

// Answer is what a host said to its probes: its platform, and a fact for every probe.
type Answer struct {
	Platform Platform
	Distro   string // os-release's ID: debian
	System   string // ID with VERSION_ID, or the codename where a system has none: ubuntu 24.04, debian sid; for people
	Facts    Facts
}
