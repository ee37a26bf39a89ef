/**
 * Response times that the study of 2009 printed in its annex (Xen 3.3 on Debian 5; ms), in the order printed there.
 * native: one OS, one Apache, two virtual hosts. xen: Xen 3.3, paravirtualized domains. TO: timed out, no figure.
 * figure: the histogram that shows the row. load: what ran beside the probe. Rows of one group are three runs of the
 * probe during one load, then the load's own figures.
 */
export const TX2009_ANNEX_CSV = `\
figure,platform,load,target,requests,concurrency,min,mean,sd,median,p95,max
19,xen,none,apache1,50,5,1,2,0.4,2,3,3
19,xen,none,apache1,50,5,1,2,0.2,2,2,3
19,xen,none,apache1,50,5,1,2,0.6,2,2,5
22,xen,http-500k-500,apache1,50,5,1,3,2.1,3,9,9
22,xen,http-500k-500,apache1,50,5,2,2,0.3,2,2,3
22,xen,http-500k-500,apache1,50,5,1,2,0.6,2,3,4
22,xen,http-500k-500,apache2,500000,500,1,126,602.3,11,226,21080
23,xen,http-100k-100,apache1,50,5,1,3,1.6,3,7,8
23,xen,http-100k-100,apache1,50,5,2,2,0.3,2,2,3
23,xen,http-100k-100,apache1,50,5,1,2,0.5,2,2,4
23,xen,http-100k-100,apache2,100000,100,1,26,256.8,2,32,9031
23,xen,http-500k-1000,apache1,50,5,1,2,0.3,2,3,3
23,xen,http-500k-1000,apache1,50,5,2,3,2.1,2,9,9
23,xen,http-500k-1000,apache1,50,5,1,2,0.7,2,4,4
23,xen,http-500k-1000,apache2,500000,1000,1,250,1080.5,23,704,45296
24,xen,cpu-bomb-x1-on-2-domains,apache1,50,5,2,3,0.2,3,7,7
24,xen,cpu-bomb-x1-on-2-domains,apache1,50,5,1,2,0.2,2,2,3
24,xen,cpu-bomb-x1-on-2-domains,apache1,50,5,2,3,1.5,3,7,7
25,xen,cpu-bomb-x4-on-2-domains,apache1,50,5,1,8,10.6,2,33,33
25,xen,cpu-bomb-x4-on-2-domains,apache1,50,5,2,2,0.3,2,2,3
25,xen,cpu-bomb-x4-on-2-domains,apache1,50,5,1,3,2.9,2,10,13
26,xen,cpu-bomb-x4-and-io-on-2-domains,apache1,50,5,1,3,2.6,2,10,11
26,xen,cpu-bomb-x4-and-io-on-2-domains,apache1,50,5,2,4,3.4,3,13,13
26,xen,cpu-bomb-x4-and-io-on-2-domains,apache1,50,5,1,2,0.3,2,2,3
20,native,http-500k-1000,client1,50,5,21,408,1390.6,25,3148,6451
20,native,http-500k-1000,client1,50,5,23,331,923.1,26,3029,3235
20,native,http-500k-1000,client1,50,5,21,411,1541.4,25,6450,6451
20,native,http-500k-1000,client2,500000,1000,13,196,1278.2,26,233,74128
21,native,disk-io,client1,50,5,1,272,818.3,2,2702,2703
21,native,disk-io,client1,50,5,1,81,209.8,2,698,698
21,native,disk-io,client1,50,5,1,71,211.6,2,700,700
21,native,disk-io,client2,,,TO,TO,TO,TO,TO,TO
`;
