<?php

/**
 * Says its address, reads one request and answers it with the octets that were given in base64.
 */
$answer = base64_decode($argv[1]);
$listener = stream_socket_server('tcp://127.0.0.1:0');
echo 'http://', stream_socket_get_name($listener, false), "\n";
$connection = stream_socket_accept($listener, 30);
$heard = '';
while ($connection !== false && !feof($connection) && strpos($heard, 'op=') === false) {
    $heard .= fread($connection, 65536);
}
if ($answer === 'silence') {
    sleep(20);
} else {
    fwrite($connection, $answer);
}
