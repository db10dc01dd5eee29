<?php

declare(strict_types=1);

namespace Peyk\Tests;

use Peyk\AddressDeniedException;
use Peyk\AnswerLost;
use Peyk\ApiException;
use Peyk\Client;
use Peyk\NotSent;
use Peyk\PeykException;
use Peyk\ProtocolException;
use Peyk\Response;
use Peyk\Transport;
use Peyk\TransportException;
use PHPUnit\Framework\TestCase;

/** Answers what it was told to, and keeps what it was asked. */
final class Canned implements Transport
{
    /** @var array<int, array> */
    public $requests = [];

    /** @var array */
    private $replies;

    public function __construct(array $replies)
    {
        $this->replies = $replies;
    }

    public function post(string $url, array $headers, string $body, float $timeout): Response
    {
        $reply = $this->replies[count($this->requests)];
        $this->requests[] = [$url, $headers, $body];
        switch ($reply['fails'] ?? '') {
            case 'unsent':
                throw new NotSent('refused');
            case 'lost':
                throw new AnswerLost('timed out');
        }
        return new Response($reply['status'], $reply['body']);
    }
}

/** The calls that all clients have in common (../../calls.json), without a network. */
final class CallsTest extends TestCase
{
    /** How the named arguments of the table are given to each method; the others are options. */
    private const POSITIONS = [
        'send' => ['to', 'text'],
        'send_each' => ['messages'],
        'send_pattern' => ['code', 'to', 'values'],
        'send_to_books' => ['book_ids', 'text'],
        'send_to_postal' => ['prefix', 'operator', 'text'],
        'send_to_jobs' => ['job_id', 'trend_ids', 'text'],
        'create_ticket' => ['subject', 'description'],
        'create_account' => [],
    ];

    public static function calls(): array
    {
        $table = json_decode(file_get_contents(__DIR__ . '/../../calls.json'), true, 64, JSON_THROW_ON_ERROR);
        $cases = [];
        foreach ($table['calls'] as $call) {
            $cases[$call['claim']] = [$call];
        }
        self::assertCount(count($table['calls']), $cases, 'two cases have one claim');
        return $cases;
    }

    /** @dataProvider calls */
    public function testTheCall(array $call): void
    {
        $transport = new Canned($call['replies']);
        try {
            $result = $this->run_($call, $transport);
            $this->assertArrayNotHasKey('error', $call, 'it should have failed');
            $this->assertSame($call['result'], self::plain($result, $call['method']));
        } catch (PeykException $error) {
            $this->assertArrayHasKey('error', $call, (string) $error);
            $this->checkError($call['error'], $error);
        }
        $this->assertCount($call['attempts'], $transport->requests);
        foreach ($transport->requests as $request) {
            $this->checkRequest($call, $request);
        }
        $this->assertCount(1, array_unique(array_column($transport->requests, 2)), 'the same each time');
    }

    public function testEveryMethodOfTheClientStandsInTheTable(): void
    {
        $methods = array_column(array_column(self::calls(), 0), 'method');
        $methods = array_values(array_unique(array_map([self::class, 'camel'], $methods)));
        $own = array_filter(get_class_methods(Client::class), function (string $name): bool {
            return !in_array($name, ['__construct', '__debugInfo', 'withKey', 'url'], true);
        });
        sort($methods);
        sort($own);
        $this->assertSame($methods, $own);
    }

    /** @return mixed */
    private function run_(array $call, Transport $transport)
    {
        $client = new Client('http://sms.test', 'user', 'secret', [
            'line' => 3000505,
            'transport' => $transport,
            'sleep' => function (): void {
            },
        ]);
        $given = $call['arguments'];
        $positional = [];
        foreach (self::POSITIONS[$call['method']] ?? array_keys($given) as $name) {
            $positional[] = $given[$name];
            unset($given[$name]);
        }
        if ($given !== []) {
            $positional[] = $given;
        }
        return call_user_func_array([$client, self::camel($call['method'])], $positional);
    }

    private function checkRequest(array $call, array $request): void
    {
        [$url, $headers, $body] = $request;
        $this->assertSame('http://sms.test/services.jspd', $url);
        $isJson = $call['encoding'] === 'json';
        $kind = $isJson ? 'application/json' : 'application/x-www-form-urlencoded';
        $this->assertContains("Content-Type: $kind; charset=UTF-8", $headers);
        if ($isJson) {
            $found = json_decode($body, true);
        } else {
            parse_str($body, $found);
        }
        $wanted = $call['request'] + [$isJson ? 'user' : 'uname' => 'user', 'pass' => 'secret'];
        if (($call['localid'] ?? '') === 'generated') {
            $this->assertMatchesRegularExpression('/^[0-9a-f-]{32,}$/', $found['localid']);
            unset($found['localid']);
        }
        foreach ($wanted as $name => $value) {
            if (is_array($value) && array_keys($value) === ['json']) {
                $wanted[$name] = $value['json'];
                $found[$name] = json_decode($found[$name], true);
            }
        }
        ksort($wanted);
        ksort($found);
        $this->assertSame($wanted, $found);
    }

    private function checkError(array $wanted, PeykException $error): void
    {
        $kinds = [
            'api' => ApiException::class,
            'denied' => AddressDeniedException::class,
            'transport' => TransportException::class,
            'protocol' => ProtocolException::class,
        ];
        $this->assertInstanceOf($kinds[$wanted['kind']], $error, (string) $error);
        if ($error instanceof ApiException) {
            $this->assertSame($wanted['code'], $error->getCode());
            $this->assertSame($wanted['name'], $error->getName());
            $this->assertSame($wanted['message'] ?? $error->getText(), $error->getText());
        }
        if ($error instanceof TransportException) {
            $this->assertSame($wanted['outcome_unknown'], $error->isOutcomeUnknown());
        }
        $this->assertStringNotContainsString('secret', $error->getMessage());
    }

    /**
     * A result as it stands in the table.
     *
     * @param mixed $value
     *
     * @return mixed
     */
    private static function plain($value, string $method = '')
    {
        if ($method === 'credit') {
            return (string) $value;
        }
        if ($value instanceof \DateTimeInterface) {
            return $value->format('Y-m-d\TH:i:sP');
        }
        return is_array($value) ? array_map([self::class, 'plain'], $value) : $value;
    }

    private static function camel(string $name): string
    {
        return lcfirst(str_replace('_', '', ucwords($name, '_')));
    }
}
