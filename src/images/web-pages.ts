/** Rounds of MD5 that take about 2 ms of a current CPU in PHP 8. Fixed: it is what the page costs, not what it shows. */
const COMPUTE_ROUNDS = 16_000;

/** The page that computes: the same work and the same answer for every request. */
export const COMPUTE_PAGE = `<?php
header('Content-Type: text/plain');
$digest = '';
for ($round = 0; $round < ${COMPUTE_ROUNDS}; $round++) {
    $digest = md5($digest . $round);
}
echo $digest, "\\n";
`;

/** 64 MiB that no compression makes smaller, the same in every build: AES in counter mode over zeros. */
export const LARGE_FILE_COMMAND = `php -n -r '
$key = md5("cloison large.bin", true);
$file = fopen("/srv/www/large.bin", "wb");
for ($block = 0; $block < 64; $block++) {
    $counter = pack("J2", 0, $block * 65536);
    fwrite($file, openssl_encrypt(str_repeat("\\0", 1048576), "aes-128-ctr", $key, OPENSSL_RAW_DATA | OPENSSL_ZERO_PADDING, $counter));
}
fclose($file);
'`;

/** The static page, of the size of a small real one. */
export const STATIC_PAGE = `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Cloison: a page that does not change</title>
  <style>
    body { font: 16px/1.5 sans-serif; max-width: 40em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff; }
    table { border-collapse: collapse; }
    td, th { border-bottom: 1px solid #ccc; padding: .2em .8em .2em 0; text-align: left; }
  </style>
</head>
<body>
  <h1>It serves</h1>
  <p>This is the static page of a web domain. The probe asks for it a hundred times a second and notes how long each answer
  takes; what changes from phase to phase is what the domain's neighbours do meanwhile.</p>
  <table>
    <tr><th>page</th><th>costs</th></tr>
    <tr><td><a href="/index.html">index.html</a></td><td>next to nothing: it is in the page cache</td></tr>
    <tr><td><a href="/compute.php">compute.php</a></td><td>about two milliseconds of a processor</td></tr>
    <tr><td><a href="/large.bin">large.bin</a></td><td>64 MiB of network</td></tr>
  </table>
  <p>A wall between two rooms is judged by what is heard through it.</p>
</body>
</html>
`;
