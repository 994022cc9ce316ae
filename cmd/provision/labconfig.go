package main

import (
	"fmt"
	"net/netip"
	"os"

	"provision/internal/lab"
)

// labConfig is where the lab is: this machine's one, or the one that the environment names.
//
//   - PROVISION_LAB_DIR: its directory (default /var/lib/provision-lab)
//   - PROVISION_LAB_BASE: the directory of the Debian systems that hosts are made from
//   - PROVISION_LAB_NETWORK: the addresses of its bridge (default 198.18.0.0/24)
//   - PROVISION_LAB_BRIDGE: the bridge's name (default plab0)
func labConfig(progress func(string)) (lab.Config, error) {
	config := lab.Config{
		Dir:      os.Getenv("PROVISION_LAB_DIR"),
		Base:     os.Getenv("PROVISION_LAB_BASE"),
		Bridge:   os.Getenv("PROVISION_LAB_BRIDGE"),
		Progress: progress,
	}
	return config, withNetwork(&config, os.Getenv("PROVISION_LAB_NETWORK"), "PROVISION_LAB_NETWORK")
}

// withNetwork sets the bridge's addresses, from what a person wrote into source.
func withNetwork(config *lab.Config, text, source string) error {
	if text == "" {
		return nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return usage(fmt.Errorf("%s %q: is no network", source, text), "such as 198.18.0.0/24")
	}
	config.Network = prefix
	return nil
}

// openLab opens the lab.
func openLab(progress func(string)) (*lab.Lab, error) {
	config, err := labConfig(progress)
	if err != nil {
		return nil, err
	}
	return lab.Open(config)
}
