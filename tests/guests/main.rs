//! The program with real guests, in the embedded lab and in hardware labs made of namespaces.
//!
//! Needs root and the packages of a measuring machine; fails without. Nothing here asserts a speed. Tests whose names speak of
//! a kill prove that nothing is left behind; `make test` runs them first.

#[path = "../support/mod.rs"]
mod support;

mod appliance;
mod chaos;
mod ci;
mod cloud;
mod controller_lost;
mod doctor;
mod end_to_end;
mod fault_matrix;
mod fault_matrix_disks;
mod fault_matrix_hardware;
mod gate;
mod groups;
mod guest_memory;
mod hardware_lab;
mod hardware_ovs;
mod hardware_ways;
mod interrupt;
mod load_kinds;
mod neighbours;
mod nic_settings;
mod ovs;
mod pinning;
mod refused;
mod rehearsal;
mod reprovision;
mod slurm;
mod trust;
mod truth;
mod tuning;
mod twins;
