<?php
// PHP's SoapClient in WSDL mode. Argument: the base URL; prints what each method gave back as JSON.
$client = new SoapClient("$argv[1]/class/sms/wsdlservice/server.php?wsdl", [
    'cache_wsdl' => WSDL_CACHE_NONE, 'connection_timeout' => 20, 'exceptions' => true,
]);
$user = 'shop';
$pass = 'secret-1';
$results = [];
$results['credit'] = $client->GetCredit($user, $pass);
$results['usertime'] = $client->GetUsertime($user, $pass);
$results['lines'] = $client->GetLines($user, $pass);
$text = "سلام «علی» & <b>";
$results['send'] = $client->SendSMS('+983000505', ['09121110001', '09351110002'], $text, $user, $pass, '', 'send');
$results['one'] = $client->SendSMS('3000505', '09121110001', $text, $user, $pass, null, 'send');
$results['each'] = $client->SendSMS(
    '3000505', ['09121110001', '09351110002'], ['یک', 'دو'], $user, $pass, '', 'pointtopoint'
);
$results['delivery'] = $client->GetDelivery($user, $pass, $results['send']);
$results['check'] = $client->CheckMessage($user, $pass, $results['send']);
$results['cancel'] = $client->deleteperiod($user, $pass, $results['send']);
$results['again'] = $client->deleteperiod($user, $pass, $results['send']);
$results['ticket'] = $client->AddTicket(
    $user, $pass, 'موضوع', "خط یک\nخط دو", 'webservice', 'low', 'no', base64_encode("GIF89a...")
);
$results['login'] = $client->GetCredit($user, 'wrong');
$results['inbox'] = $client->inboxlist($user, 'wrong');
$results['pattern'] = $client->sendPatternSms('3000505', '09121110001', $user, 'wrong', '7', ['name' => 'علی']);
// By name, and without the WSDL.
$results['named'] = $client->__soapCall('GetCredit', ['user' => $user, 'pass' => $pass]);
$raw = new SoapClient(null, [
    'location' => "$argv[1]/class/sms/wsdlservice/server.php?wsdl", 'uri' => 'urn:other',
]);
$results['raw'] = $raw->__soapCall('SendSMS', ['3000505', ['09121110001'], 'a', $user, $pass, '', 'send']);
$newer = new SoapClient(null, [
    'location' => "$argv[1]/class/sms/wsdlservice/server.php", 'uri' => 'urn:other',
    'soap_version' => SOAP_1_2,
]);
$results['newer'] = $newer->GetUsertime($user, $pass);
try {
    $raw->__soapCall('NoSuchMethod', []);
} catch (SoapFault $fault) {
    $results['fault'] = $fault->getMessage();
}
echo json_encode($results, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
