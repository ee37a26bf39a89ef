"""256 hosts on one Linux bridge through Mininet's own API, as bench/mininet-lab.ts drives it.

Prints a line when the first ping has passed; when it is sent a line, removes everything and ends.
"""

import sys

from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo

HOSTS = 256

net = Mininet(
    topo=SingleSwitchTopo(HOSTS),
    switch=LinuxBridge,
    controller=None,
    ipBase="10.64.0.0/23",
    waitConnected=False,
)
net.start()
first, last = net.get("h1"), net.get("h%d" % HOSTS)
while " 0% packet loss" not in first.cmd("ping -c 1 -W 1 " + last.IP()):
    pass
print("passed", flush=True)
sys.stdin.readline()
net.stop()
