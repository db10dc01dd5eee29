<?php

declare(strict_types=1);

namespace Peyk;

/**
 * Reads the answers of the service. Each function takes the body and gives the data, or throws what the
 * answer says: ApiException, AddressDeniedException, ProtocolException.
 *
 * @internal
 */
final class Answers
{
    public const CONTACT_SAVED = 102;
    public const BULK_CANCELLED = 455;
    public const BULK_UNKNOWN = 456;

    /** The time of the service. Iran has had no summer time since 2022, which old PHPs do not know. */
    public const TEHRAN = '+03:30';

    private const DEPTH_MAX = 64;

    /** @return mixed the JSON of an answer, whatever it is */
    public static function decoded(string $body)
    {
        $trimmed = trim($body);
        if ($trimmed === 'deny' || $trimmed === '"deny"') {
            throw new AddressDeniedException();
        }
        return self::parse($trimmed, 'JSON', $body);
    }

    /**
     * Throws what `[code,"text"]` says.
     *
     * @param mixed $value
     */
    public static function refuse($value): void
    {
        $error = self::refusal($value);
        if ($error !== null) {
            throw $error;
        }
    }

    /** @return mixed `data` of `[0,data]` */
    public static function data(string $body)
    {
        $value = self::decoded($body);
        self::refuse($value);
        if (self::isList($value) && count($value) === 2 && self::isWhole($value[0])) {
            return $value[1];
        }
        throw new ProtocolException('[0,data]', $body);
    }

    /** `[0,number]` or `[0,"number"]`. */
    public static function number(string $body): int
    {
        return self::toWhole(self::data($body), $body);
    }

    /** A number alone. */
    public static function bareNumber(string $body): int
    {
        $value = self::decoded($body);
        self::refuse($value);
        return self::toWhole($value, $body);
    }

    /** `[0,"text"]`. */
    public static function text(string $body): string
    {
        $value = self::data($body);
        if (is_int($value) || is_float($value) || is_string($value)) {
            return (string) $value;
        }
        throw new ProtocolException('a text', $body);
    }

    /** @return mixed the JSON that stands in the text of `[0,"…"]` */
    public static function inner(string $body)
    {
        return self::parse(self::text($body), 'JSON in a text', $body);
    }

    /**
     * The list of objects that stands in the text; objects may be texts in turn.
     *
     * @return array<int, array<string, mixed>>
     */
    public static function rows(string $body): array
    {
        $found = self::inner($body);
        if (!self::isList($found)) {
            throw new ProtocolException('a list', $body);
        }
        return array_map(function ($item) use ($body): array {
            $row = is_string($item) ? self::parse($item, 'objects', $body) : $item;
            if (!is_array($row) || ($row !== [] && self::isList($row))) {
                throw new ProtocolException('objects', $body);
            }
            return $row;
        }, $found);
    }

    /**
     * `data` of `{"status":{"code":0,…},"data":…}`; also answers `[code,"text"]`.
     *
     * @param int[] $success
     *
     * @return array<string, mixed>
     */
    public static function envelope(string $body, array $success = [0]): array
    {
        $value = self::decoded($body);
        $refused = self::refusal($value);
        if ($refused !== null) {
            if (in_array($refused->getCode(), $success, true)) {
                return [];
            }
            throw $refused;
        }
        $status = is_array($value) ? ($value['status'] ?? null) : null;
        if (!is_array($status) || !self::isWhole($status['code'] ?? null)) {
            throw new ProtocolException('{"status":{"code":…},"data":…}', $body);
        }
        $code = (int) $status['code'];
        if (!in_array($code, $success, true)) {
            $text = $status['message'] ?? '';
            throw new ApiException($code, is_string($text) ? $text : '');
        }
        return is_array($value['data'] ?? null) ? $value['data'] : [];
    }

    /** A time of the service, which is Tehran's. */
    public static function moment(string $words, string $body): \DateTimeImmutable
    {
        $time = \DateTimeImmutable::createFromFormat(
            '!Y-m-d H:i:s',
            str_replace('/', '-', $words),
            new \DateTimeZone(self::TEHRAN)
        );
        if ($time === false) {
            throw new ProtocolException('a time', $body);
        }
        return $time;
    }

    /**
     * A text that must be there.
     *
     * @param mixed $row
     */
    public static function field($row, string $name, string $body): string
    {
        $value = is_array($row) ? ($row[$name] ?? null) : null;
        if (!is_scalar($value)) {
            throw new ProtocolException("`$name` in each object", $body);
        }
        return (string) $value;
    }

    /**
     * A whole number that must be there.
     *
     * @param mixed $row
     */
    public static function whole($row, string $name, string $body): int
    {
        return self::toWhole(self::field($row, $name, $body), $body);
    }

    /** @param mixed $value */
    public static function isList($value): bool
    {
        return is_array($value) && ($value === [] || array_keys($value) === range(0, count($value) - 1));
    }

    /** @param mixed $value */
    private static function refusal($value): ?ApiException
    {
        if (!self::isList($value) || !self::isWhole($value[0] ?? null) || (int) $value[0] === 0) {
            return null;
        }
        $words = $value[1] ?? '';
        return is_string($words) ? new ApiException((int) $value[0], $words) : null;
    }

    /** @return mixed */
    private static function parse(string $words, string $expected, string $body)
    {
        try {
            return json_decode($words, true, self::DEPTH_MAX, JSON_THROW_ON_ERROR);
        } catch (\JsonException $error) {
            throw new ProtocolException($expected, $body);
        }
    }

    /** @param mixed $value */
    private static function toWhole($value, string $body): int
    {
        if (self::isWhole($value)) {
            return (int) $value;
        }
        throw new ProtocolException('a whole number', $body);
    }

    /** @param mixed $value */
    private static function isWhole($value): bool
    {
        return is_int($value) || (is_string($value) && preg_match('/^[0-9]{1,18}$/D', $value) === 1);
    }
}
