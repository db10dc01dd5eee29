<?php
// Requests as PHP plugins write them. Arguments: the base URL and the habit; prints the raw reply.
[, $base, $habit] = $argv;
$fields = [
    'uname' => 'shop', 'pass' => 'secret-1', 'from' => '+983000505', 'op' => 'send',
    'message' => "سلام «علی»\n5% & <b>", 'to' => json_encode(['09121110001', '+989351110002']),
];

function post($url, $body, $headers = [])
{
    $handle = curl_init($url);
    curl_setopt_array($handle, [
        CURLOPT_CUSTOMREQUEST => 'POST', CURLOPT_POSTFIELDS => $body, CURLOPT_TIMEOUT => 20,
        CURLOPT_RETURNTRANSFER => true, CURLOPT_HTTPHEADER => $headers, CURLOPT_PROXY => '',
    ]);
    $reply = curl_exec($handle);
    if ($reply === false) {
        fwrite(STDERR, curl_error($handle));
        exit(1);
    }
    return $reply;
}

switch ($habit) {
    case 'array': // multipart/form-data
        echo post("$base/services.jspd", $fields);
        break;
    case 'form':
        echo post("$base/services.jspd", http_build_query($fields));
        break;
    case 'json-as-form': // no content type of its own
        echo post("$base/services.jspd", json_encode(['to' => ['09121110001', '09351110002']] + $fields));
        break;
    case 'header-0': // a list of headers with a key in it becomes a header named 0
        echo post("$base/services.jspd", $fields, ['0: Content-Type: application/json']);
        break;
    case 'login-in-query':
        $query = http_build_query(['uname' => 'shop', 'pass' => 'secret-1']);
        unset($fields['uname'], $fields['pass']);
        echo post("$base/services.jspd?$query", $fields);
        break;
    case 'file_get_contents': // raw quotes in the request line, HTTP/1.1 without a body
        $query = 'op=send&uname=shop&pass=secret-1&from=+983000505&message=' .
            rawurlencode($fields['message']) . '&to=["09121110001","09351110002"]';
        echo file_get_contents("$base/services.jspd?$query");
        break;
    case 'send_url':
        $query = http_build_query([
            'uname' => 'shop', 'pass' => 'secret-1', 'from' => '3000505',
            'to' => '09121110001,09351110002', 'msg' => $fields['message'],
        ]);
        echo file_get_contents("$base/class/sms/webservice/send_url.php?$query");
        break;
    case 'ticket':
        $file = tempnam(sys_get_temp_dir(), 'ticket');
        file_put_contents($file, "%PDF-1.4\nhello");
        echo post("$base/services.jspd", [
            'op' => 'ticketadd', 'uname' => 'shop', 'pass' => 'secret-1', 'subject' => 'فیش',
            'description' => 'پیوست', 'type' => 'fiscal', 'importance' => 'quick',
            'sms_notification' => 'yes', 'file' => new CURLFile($file, 'application/pdf', 'فیش.pdf'),
        ]);
        unlink($file);
        break;
    default:
        exit(2);
}
