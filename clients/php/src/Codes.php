<?php

declare(strict_types=1);

namespace Peyk;

/**
 * The names of the service's codes. They are the service's own; a test holds this table to its table.
 */
final class Codes
{
    public const NAMES = [
        1 => 'EmptyMessage',
        2 => 'AccountRestricted',
        3 => 'LineNotOwned',
        4 => 'NoRecipient',
        5 => 'InsufficientCredit',
        6 => 'TextCountMismatch',
        7 => 'LineUnfitForBulk',
        9 => 'LineClosedNow',
        21 => 'VoiceFileType',
        22 => 'VoiceFileSize',
        23 => 'VoiceRepeat',
        98 => 'TooManyRecipients',
        99 => 'OperatorDown',
        100 => 'ContactInvalid',
        101 => 'ContactExists',
        102 => 'ContactSaved',
        105 => 'BookUnavailable',
        266 => 'SharedLineDenied',
        301 => 'UserNameCharacters',
        302 => 'NoTariff',
        303 => 'UserNameMissing',
        304 => 'UserNameTaken',
        305 => 'NameMissing',
        306 => 'NationalIdMissing',
        307 => 'NationalIdWrong',
        308 => 'CertificateIdWrong',
        309 => 'CertificateIdMissing',
        310 => 'EmailMissing',
        311 => 'TelephoneMissing',
        312 => 'TelephoneWrong',
        313 => 'AddressMissing',
        314 => 'MobileMissing',
        315 => 'MobileWrong',
        316 => 'AccessIdWrong',
        317 => 'PasswordMissing',
        404 => 'PatternUnavailable',
        422 => 'InputInvalid',
        455 => 'ScheduleCancelled',
        456 => 'BulkUnknown',
        458 => 'TicketUnknown',
        962 => 'LoginWrong',
        963 => 'OperationNotAllowed',
        964 => 'NotReseller',
        970 => 'PatternParametersWrong',
        971 => 'PatternWrong',
        972 => 'PatternRecipientWrong',
        992 => 'OutsideSendingHours',
        993 => 'BookIdNotArray',
        994 => 'CardImageRequired',
        995 => 'CardNumberRequired',
        996 => 'PatternInactive',
        997 => 'PatternNotPermitted',
        998 => 'IdentityNotApproved',
        1001 => 'UserNameFormat',
        1002 => 'PasswordWeak',
        1003 => 'RegistrationFailed',
        1006 => 'TimeInPast',
        1402 => 'KeyInvalid',
        1403 => 'KeyRevoked',
    ];
}
