// Package acceptance holds the tests that try provision as a new user would: the built
// command against real Debian hosts of the lab, both releases.
//
// A test is parallel, takes hosts that are bare or installed, whose names no other test has,
// and leaves the lab as it was. How many have hosts at a time is turns' business.
package acceptance
