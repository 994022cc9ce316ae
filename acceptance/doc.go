// Package acceptance holds the tests that try provision as a new user would: the built
// command against real Debian hosts of the lab, both releases.
package acceptance
