<?php

/** Says in JSON what the helper makes of the vectors, and of a short conversation with the API that the environment names. */

declare(strict_types=1);

require __DIR__ . '/../php/Misy.php';

use Misy\MisyError;
use Misy\MisyServer;
use function Misy\signatureHeaders;

$known = json_decode((string) file_get_contents(__DIR__ . '/../request-signature.json'), true);
$key = base64_decode(strtr($known['key'], '-_', '+/'));
$signatures = array_map(
    fn (array $one): string => signatureHeaders(
        $key,
        $one['method'],
        $one['url'],
        $one['body'],
        $one['token'],
        $one['timestamp'],
        $one['nonce'],
    )['X-Misy-Signature'],
    $known['vectors'],
);

$misy = new MisyServer(
    getenv('MISY_API'),
    getenv('MISY_SECRET_ID'),
    getenv('MISY_SECRET'),
    permissions: ['chat:read', 'chat:write'],
);
$session = $misy->call('POST', '/sessions', ['channel' => 'web', 'locale' => 'es-CO']);
$misy->call('POST', '/messages', [
    'tenantId' => getenv('MISY_TENANT'),
    'siteId' => 'main',
    'sessionId' => $session['sessionId'],
    'channel' => 'web',
    'metadata' => new stdClass(),
    'clientMessageId' => 'first',
    'text' => '¿Tienen hora mañana?',
]);
$history = $misy->call('GET', "/sessions/{$session['sessionId']}/messages?after=0&limit=1");
$refusal = null;
try {
    $misy->call('GET', '/sessions/ses_01k9z3v5d2m8q4x7c1b6n0f9gh');
} catch (MisyError $error) {
    $refusal = $error->errorCode;
}
echo json_encode(['signatures' => $signatures, 'text' => $history['items'][0]['parts'][0]['text'], 'refusal' => $refusal]), "\n";
