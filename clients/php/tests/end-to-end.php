<?php

/**
 * Against a real service: `end-to-end.php DEMO_JSON SCENARIO [curl|streams]`. DEMO_JSON is what `peyk demo`
 * writes.
 */

declare(strict_types=1);

use Peyk\ApiException;
use Peyk\Client;
use Peyk\CurlTransport;
use Peyk\StreamTransport;

require __DIR__ . '/../autoload.php';

const PATIENCE_SECONDS = 60;

function same($wanted, $found, string $what = ''): void
{
    if ($wanted !== $found) {
        throw new LogicException("$what: " . var_export($found, true) . ' is not ' . var_export($wanted, true));
    }
}

function refused(int $code, string $name, callable $call): void
{
    try {
        $call();
    } catch (ApiException $error) {
        same([$code, $name], [$error->getCode(), $error->getName()]);
        return;
    }
    throw new LogicException("$code $name was expected");
}

function wait_for(Client $client, int $bulk, array $wanted): void
{
    $until = microtime(true) + PATIENCE_SECONDS;
    do {
        $found = array_map(function (array $recipient): string {
            return "{$recipient['number']}:{$recipient['status']}";
        }, $client->delivery($bulk));
        if ($found === $wanted) {
            return;
        }
        usleep(50000);
    } while (microtime(true) < $until);
    same($wanted, $found, "bulk $bulk");
}

function everything(Client $client, array $demo): void
{
    refused(962, 'LoginWrong', function () use ($demo): void {
        (new Client($demo['url'], $demo['uname'], 'wrong'))->credit();
    });
    $before = $client->credit();
    $first = $client->send('09121111111', 'سلام <b>😀</b> & + %');
    same(true, $first > 10000);
    wait_for($client, $first, ['+989121111111:delivered']);
    same(['status' => 'Finish', 'approval' => 'approve'], $client->check($first));
    same(120.0, $before - $client->credit(), 'one Persian part');

    $two = ['9121111111', '+989351111111'];
    $both = $client->send($two, 'Hi', ['line' => '+983000505', 'local_id' => 'mine']);
    same($both, $client->send($two, 'Hi', ['local_id' => 'mine']));
    $each = $client->sendEach([['09121111112', 'سلام'], ['09351111100', 'Hi']]);
    wait_for($client, $both, ['+989121111111:delivered', '+989351111111:delivered']);
    wait_for($client, $each, ['+989121111112:delivered', '+989351111100:failed']);
    // A part is charged when the operator takes it, delivered or not.
    same(120.0 + 2 * 300 + 120 + 300, $before - $client->credit());

    $later = $client->send('09121111111', 'Hi', ['time' => new DateTimeImmutable('+1 day')]);
    same('Active', $client->check($later)['status']);
    $client->cancel($later);
    same('Cancel', $client->check($later)['status']);
    $refusals = [
        [456, 'BulkUnknown', 'cancel', [$later]],
        [456, 'BulkUnknown', 'check', [999999]],
        [456, 'BulkUnknown', 'delivery', [999999]],
        [1006, 'TimeInPast', 'send', ['09121111111', 'Hi', ['time' => '2020-01-01']]],
        [3, 'LineNotOwned', 'send', ['09121111111', 'Hi', ['line' => '+98999']]],
        [4, 'NoRecipient', 'send', [[], 'Hi']],
        [1, 'EmptyMessage', 'send', ['09121111111', '']],
    ];
    foreach ($refusals as [$code, $name, $method, $arguments]) {
        refused($code, $name, function () use ($client, $method, $arguments): void {
            $client->$method(...$arguments);
        });
    }
    same(true, in_array('+983000505', array_column($client->lines(), 'number'), true));
    same(true, $client->expiresAt() > new DateTimeImmutable());
}

/** An answer of these is understood when it is data, or a refusal with a name. */
function understood(Client $client, string $operation): void
{
    $nobody = array_fill_keys(
        ['name', 'access_id', 'national_id', 'certificate_id', 'mobile', 'telephone', 'email', 'address'],
        ''
    );
    $more = [
        'booklist' => ['books', []],
        'booklistV2' => ['booksPage', [1]],
        'booknumberlist' => ['contacts', [2 ** 30]],
        'phoneBookAdd' => ['addContact', [2 ** 30, '09121111111', 'علی']],
        'booksend' => ['sendToBooks', [[2 ** 30], 'Hi']],
        'inboxlist' => ['inbox', []],
        'pattern' => ['sendPattern', ['nothere', '09121111111', ['code' => '1']]],
        'patternInfo' => ['patternInfo', ['nothere']],
        'postalcodearea' => ['postalAreas', []],
        'postalcodecount' => ['postalCount', ['131', 'tci']],
        'postalcodesend' => ['sendToPostal', ['131', 'tci', 'Hi']],
        'jobslist' => ['jobs', []],
        'jobstrendlist' => ['jobTrends', []],
        'jobscount' => ['jobsCount', [[1]]],
        'jobssend' => ['sendToJobs', [1, [1], 'Hi']],
        'accesslist' => ['packages', []],
        'newuser' => ['createAccount', [['username' => 'x', 'password' => 'x'] + $nobody]],
        'ticketadd' => ['createTicket', ['آزمون', '<script>']],
    ];
    [$method, $arguments] = $more[$operation];
    try {
        echo $operation, ' ', json_encode($client->$method(...$arguments)), "\n";
    } catch (ApiException $error) {
        same(false, in_array($error->getName(), ['Unknown', 'OperationNotAllowed'], true), $error->getMessage());
        echo $operation, ' ', $error->getMessage(), "\n";
    }
}

[, $file, $scenario] = $argv;
$demo = json_decode(file_get_contents($file), true, 8, JSON_THROW_ON_ERROR);
$transport = ($argv[3] ?? 'curl') === 'curl' ? new CurlTransport() : new StreamTransport();
$options = ['line' => $demo['from'], 'transport' => $transport];
$client = new Client($demo['url'], $demo['uname'], $demo['pass'], $options);
$scenario === 'everything' ? everything($client, $demo) : understood($client, $scenario);
