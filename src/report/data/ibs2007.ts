/**
 * Degradation of a web workload (percent) in the well-behaved and the misbehaving guest. Source: Isolation Benchmark
 * Suite, Clarkson University, 2007, the suite's results page (Pentium 4, 1 GB; VMware Workstation 5.5, Xen 3.0, OpenVZ
 * on Linux 2.6.18). DNR: did not return a result.
 */
export const IBS2007_CSV = `\
stress,vmware_good,vmware_bad,xen_good,xen_bad,openvz_good,openvz_bad
memory,0,91.30,0.03,DNR,0,DNR
fork,0,DNR,0.04,DNR,0.01,87.80
cpu,0,0,0.01,0,0,0
disk,0,39.80,1.67,11.53,2.52,2.63
net-transmit,0,52.9,0,0.33,21.3,28.97
net-receive,0,0,0.04,0.03,DNR,DNR
`;
